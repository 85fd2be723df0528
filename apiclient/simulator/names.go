package simulator

type fullName struct{ first, last, gender string }

type namePool struct {
	women, men, last []string
}

// namesOf draws a name; the scripts are those that mobile customers write in.
func namesOf(d *draw) fullName {
	pool := namePoolOf(d.next(10))
	last := pool.last[d.next(len(pool.last))]
	if d.percent(50) {
		return fullName{pool.women[d.next(len(pool.women))], last, "FEMALE"}
	}
	return fullName{pool.men[d.next(len(pool.men))], last, "MALE"}
}

func namePoolOf(script int) namePool {
	return [...]namePool{
		{[]string{"Ana", "Željka", "Đurđica"}, []string{"Ivan", "Krešimir", "Zvonimir"}, []string{"Horvat", "Kovačević", "Šarić", "Žužul"}},
		{[]string{"Emma", "Grace", "Olivia"}, []string{"Jack", "Noah", "Seán"}, []string{"Smith", "O'Brien", "Taylor-Jones"}},
		{[]string{"Jürgen-Maria", "Käthe", "Sophie"}, []string{"Jörg", "Günther", "Max"}, []string{"Müller", "Groß", "von der Heide"}},
		{[]string{"Олена", "Марія", "Ганна"}, []string{"Тарас", "Андрій", "Їжак"}, []string{"Шевченко", "Коваль", "Бондаренко"}},
		{[]string{"Ελένη", "Μαρία"}, []string{"Γιώργος", "Νίκος"}, []string{"Παπαδόπουλος", "Οικονόμου"}},
		{[]string{"فاطمة", "مريم"}, []string{"أحمد", "يوسف"}, []string{"الحسن", "بن علي"}},
		{[]string{"प्रिया", "अनन्या"}, []string{"राहुल", "अर्जुन"}, []string{"शर्मा", "सिंह"}},
		{[]string{"美咲", "陽菜"}, []string{"大翔", "蓮"}, []string{"佐藤", "鈴木", "髙橋"}},
		{[]string{"芳", "秀英"}, []string{"伟", "磊"}, []string{"王", "李", "欧阳"}},
		{[]string{"João Maria", "Conceição"}, []string{"José", "Antônio"}, []string{"da Silva", "Araújo"}},
	}[script]
}
